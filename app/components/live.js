// Asks a route while a hand moves: one question in flight, and of those that wait only the newest.

const LIVE_PATIENCE = 20000; // milliseconds until a question is given up

class Live {
  // `answered(said, query)` and `refused(problem)` are called for each question that was asked.
  constructor(answered, refused) {
    this.answered = answered;
    this.refused = refused;
    this.wanted = null;
    this.asking = false;
  }

  get busy() {
    return this.asking || this.wanted !== null;
  }

  // Whether nothing newer waits.
  get newest() {
    return this.wanted === null;
  }

  async ask(route, query) {
    this.wanted = `${route}?${query}`;
    if (this.asking) return;
    this.asking = true;
    while (this.wanted !== null && !this.closed) {
      const address = this.wanted;
      this.wanted = null;
      let [said, problem] = [null, ""];
      try {
        const response = await fetch(address, { signal: AbortSignal.timeout(LIVE_PATIENCE) });
        said = await response.json();
        if (!response.ok) problem = said.problem;
      } catch {
        problem = "The server does not answer. What is drawn is as before.";
      }
      if (this.closed) return;
      if (problem) this.refused(problem);
      else await this.answered(said);
    }
    this.asking = false;
  }

  close() {
    this.closed = true;
  }
}
