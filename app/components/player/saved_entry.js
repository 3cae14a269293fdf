// The player in a saved file: the recording is in the file, and nothing is asked of a server.

async function openSaved() {
  const packed = Uint8Array.from(atob(document.getElementById("pk-saved").textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const { plotly, study, exact } = await new Response(stream).json();
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
