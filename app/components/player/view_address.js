// The play head, the run in focus and Explain's step in the page's address: written when the hand lets go,
// without a run of the page's script.

const VIEW_NAMES = ["update", "run", "explain"]; // as in app/controls/player_view.py
const WRITTEN_AFTER = 200; // milliseconds without a move

class ViewAddress {
  constructor(player) {
    this.player = player;
    player.onMoved = () => this.plan();
  }

  // The view to begin with, where the page's address is new; null otherwise.
  begin(view) {
    const isNew = view && view.serial !== this.serial;
    this.serial = view?.serial;
    this.path = view?.path;
    return isNew ? view : null;
  }

  plan() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.write(), WRITTEN_AFTER);
  }

  write() {
    clearTimeout(this.timer);
    const { player } = this;
    if (!this.path || !location.pathname.endsWith(`/${this.path}`) || !player.root.dataset.ready || player.playing) return;
    const settings = location.search.slice(1).split("&").filter((part) => part && !VIEW_NAMES.includes(part.split("=")[0]));
    const search = [...settings, ...Object.entries(player.view()).map(([name, value]) => `${name}=${value}`)].join("&");
    const address = location.pathname + (search && `?${search}`) + location.hash;
    if (search !== location.search.slice(1)) history.replaceState(history.state, "", address);
  }

  close() {
    clearTimeout(this.timer);
  }
}
