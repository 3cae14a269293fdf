// The player in a saved file: the recording is in the file, and nothing is asked of a server.

// What `packed_content` in saved.py wrote: the length of the JSON, the JSON, and all columns, byte by byte.
function unpackSaved(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const content = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const planes = new Uint8Array(buffer, 4 + length);
  const count = planes.length / 4;
  const bytes = new Uint8Array(planes.length);
  for (let b = 0; b < 4; b++) for (let i = 0; i < count; i++) bytes[4 * i + b] = planes[b * count + i];
  const numbers = new Float32Array(bytes.buffer);
  let at = 0;
  for (const { columns } of content.study.runs)
    for (const name of Object.keys(columns)) columns[name] = numbers.subarray(at, (at += columns[name]));
  return content;
}

async function openSaved() {
  const packed = bytesOf(document.getElementById("pk-saved").textContent);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const { plotly, study, exact } = unpackSaved(await new Response(stream).arrayBuffer());
  const library = document.createElement("script");
  library.textContent = plotly;
  document.head.append(library);
  const root = document.querySelector(".pk-player");
  for (const link of root.querySelectorAll("a")) link.replaceWith(link.textContent); // to pages of the app
  root.player = new Player(root);
  root.player.exact = new ExactTable(exact);
  await root.player.load(study);
  for (const button of document.querySelectorAll("[data-picture]"))
    button.addEventListener("click", () => root.player.savePicture(button.dataset.picture));
}

openSaved().catch((reason) => {
  const message = document.querySelector(".pk-error");
  message.hidden = false;
  message.textContent = `This browser cannot play the file (${reason.message}). A newer one can.`;
});
