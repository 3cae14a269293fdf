// A link to the picture as it is, to copy or to be read by a phone's camera.

class LinkCard {
  constructor(player, address) {
    this.address = address;
    this.button = document.createElement("button");
    Object.assign(this.button, { type: "button", className: "pk-link-button", textContent: "Copy link" });
    this.card = document.createElement("div");
    Object.assign(this.card, { className: "pk-link", popover: "auto" });
    set(this.card, { role: "dialog", "aria-label": "Link to this picture" });
    this.card.innerHTML = `<strong>Link to this picture</strong>
      <p>Settings, play head, chosen run and the step that is explained.</p>
      <p class="pk-link-row"><input type="text" readonly aria-label="Link"> <button type="button">Copy</button></p>
      <p class="pk-link-said" role="status"></p><img hidden alt="QR code of this link">`;
    [this.field, this.copying, this.said, this.image] = ["input", "button", ".pk-link-said", "img"].map((part) => this.card.querySelector(part));
    this.button.popoverTargetElement = this.card;
    this.card.addEventListener("toggle", (event) => event.newState === "open" && this.fill());
    this.copying.addEventListener("click", () => this.copy());
    player.root.querySelector(".pk-bar").append(this.button);
    player.root.append(this.card);
  }

  async fill() {
    this.address.write();
    this.field.value = location.href;
    this.say("");
    this.image.hidden = true;
    try {
      const response = await fetch(`${this.route}?${new URLSearchParams({ to: location.href })}`);
      const { address, code, problem } = await response.json();
      if (problem) return this.say(`No QR code: ${problem}`);
      this.field.value = address;
      this.image.src = code;
      this.image.hidden = false;
    } catch {
      this.say("No QR code: the server does not answer.");
    }
  }

  async copy() {
    this.field.select();
    try {
      await navigator.clipboard.writeText(this.field.value);
    } catch {
      document.execCommand("copy"); // without https there is no clipboard to write to
    }
    this.say("Copied.");
  }

  say(text) {
    this.said.textContent = text;
  }
}
