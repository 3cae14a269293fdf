// Asks again and again, as long as there is something to ask for and somebody can see the page.

const PERIOD = 1000; // milliseconds between questions
const LONGEST = 15000; // between questions that failed

class Follower {
  // `ask` resolves to whether there is more to ask for; `fail` is told why it did not.
  constructor(ask, fail, period = PERIOD) {
    this.ask = ask;
    this.fail = fail;
    this.period = period;
    this.failures = 0;
    this.wake = () => this.now();
    document.addEventListener("visibilitychange", this.wake);
  }

  now() {
    clearTimeout(this.timer);
    this.due = true;
    this.round();
  }

  async round() {
    if (this.asking || document.hidden || this.closed) return;
    this.asking = true;
    this.due = false;
    let more = true;
    try {
      more = await this.ask();
      this.failures = 0;
    } catch (error) {
      this.failures += 1;
      if (!this.closed) this.fail(error);
    }
    this.asking = false;
    if (this.due) this.round();
    else if (more) this.timer = setTimeout(this.wake, Math.min(LONGEST, this.period * 2 ** this.failures));
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.wake);
  }
}
