// What all charts draw with.

const SVG = "http://www.w3.org/2000/svg";

function mark(parent, name, attributes = {}) {
  const node = document.createElementNS(SVG, name);
  set(node, attributes);
  parent.append(node);
  return node;
}

function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}

const mix = (a, b, share) => a + (b - a) * share;
const ease = (t) => t * t * (3 - 2 * t);
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

const TWICE_WITHIN = 400; // milliseconds from tap to tap

// Two taps on the same thing: a captured pointer has no double clicks of its own.
class DoubleTap {
  // Whether this tap is the second one there.
  isSecond(place) {
    const second = this.place === place && performance.now() - this.at < TWICE_WITHIN;
    Object.assign(this, { place: second ? null : place, at: performance.now() });
    return second;
  }

  forget() {
    this.place = null;
  }
}

// Which of the speaker's notes belongs to what is open in a box; none where it is closed.
function noteFor(box, step) {
  if (step) Object.assign(box.dataset, { speakerStep: step, speakerLabel: step });
  else for (const name of ["speakerStep", "speakerLabel"]) delete box.dataset[name];
}
