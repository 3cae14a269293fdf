// The card of a term: shown while a link to the glossary is under the pointer or has the focus, and on
// the first tap. The link itself leads to the glossary's page, in a tab of its own, so that no work is lost.

const TERM = "a[href*='glossary#']";
const CARD_DELAY = 120; // milliseconds: a pointer that only passes shows nothing
const CARD_GAP = 6; // pixels between term and card

class GlossaryCard {
  constructor() {
    this.card = document.createElement("div");
    this.card.className = "pk-card";
    this.card.id = "pk-card";
    this.card.setAttribute("role", "tooltip");
    this.card.popover = "manual"; // above dialogs and menus
    document.body.append(this.card);
    this.listeners = {
      pointerover: (event) => event.pointerType === "mouse" && this.enter(event),
      pointerout: (event) => event.pointerType === "mouse" && this.leave(event),
      focusin: ({ target }) => {
        if (target.closest?.(TERM)?.matches(":focus-visible")) this.show(target.closest(TERM));
      },
      focusout: () => this.hide(),
      pointerdown: (event) => (this.touched = event.pointerType !== "mouse"),
      click: (event) => this.click(event),
      keydown: (event) => event.key === "Escape" && this.hide(),
      scroll: ({ target }) => target.contains(this.term) && this.hide(),
    };
    for (const [name, listener] of Object.entries(this.listeners)) document.addEventListener(name, listener, true);
  }

  enter(event) {
    const term = event.target.closest?.(TERM);
    if (event.target.closest?.(".pk-card")) clearTimeout(this.leaving);
    if (!term || term === this.term) return;
    clearTimeout(this.entering);
    this.entering = setTimeout(() => this.show(term), CARD_DELAY);
  }

  leave(event) {
    if (!event.target.closest?.(`${TERM}, .pk-card`)) return;
    clearTimeout(this.entering);
    clearTimeout(this.leaving);
    this.leaving = setTimeout(() => this.hide(), 2 * CARD_DELAY);
  }

  // A tap shows the card first; a second one follows the link.
  click(event) {
    const term = event.target.closest?.(TERM);
    if (!term) {
      if (!event.target.closest?.(".pk-card")) this.hide();
    } else if (this.touched && term !== this.term) {
      event.preventDefault();
      this.show(term);
    }
  }

  async show(term) {
    clearTimeout(this.leaving);
    this.term = term;
    this.cards ??= fetch("./glossary.json").then((answer) => answer.json());
    let cards;
    try {
      cards = await this.cards;
    } catch {
      this.cards = null; // the link still works; the next look asks again
    }
    const html = cards?.[decodeURIComponent(term.hash.slice(1))];
    if (this.term !== term || !html || !term.isConnected) return;
    this.card.innerHTML = html; // from our own data; nothing of a visitor's is in it
    this.card.style.colorScheme = getComputedStyle(document.querySelector("[data-testid='stApp']")).colorScheme;
    this.card.dataset.term = term.hash.slice(1);
    if (!this.card.matches(":popover-open")) this.card.showPopover();
    term.setAttribute("aria-describedby", this.card.id);
    this.place(term.getClientRects()[0]);
  }

  // Below the term or, where there is no room, above it; never off the screen.
  place(box) {
    const { offsetWidth: width, offsetHeight: height } = this.card;
    const below = box.bottom + CARD_GAP + height <= innerHeight;
    const top = below ? box.bottom + CARD_GAP : Math.max(CARD_GAP, box.top - CARD_GAP - height);
    const left = Math.max(CARD_GAP, Math.min(box.left, innerWidth - width - CARD_GAP));
    Object.assign(this.card.style, { top: `${top}px`, left: `${left}px` });
  }

  hide() {
    clearTimeout(this.entering);
    this.term?.removeAttribute("aria-describedby");
    this.term = null;
    if (this.card.matches(":popover-open")) this.card.hidePopover();
  }

  disconnect() {
    for (const [name, listener] of Object.entries(this.listeners)) document.removeEventListener(name, listener, true);
    this.card.remove();
  }
}
