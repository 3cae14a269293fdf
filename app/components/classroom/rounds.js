// How a class answered, up to two rounds beside each other: bars, dots, a bundle of curves.

const ROUND_SIZE = [420, 190];
const MINE = "var(--st-primary-color)";

// Two rounds can be compared: the longest bar of both is the largest share that a choice had in any.
function largestShare(rounds) {
  return Math.max(0, ...rounds.flatMap(({ counts = [], answered }) => counts.map((count) => count / Math.max(1, answered))));
}

// A bar for each choice.
function drawCounts({ question }, { counts, answered }, most) {
  const list = build("div", "cr-shares");
  list.setAttribute("role", "img");
  list.setAttribute("aria-label", counts.map((count, i) => `${question.choices[i]}: ${count}`).join(", "));
  counts.forEach((count, i) => {
    const bar = build("span", "cr-share");
    bar.style.width = `${count ? (100 * count) / answered / most : 0}%`;
    const track = build("span", "cr-track");
    track.append(bar);
    const share = count ? ` · ${Math.round((100 * count) / answered)}%` : "";
    list.append(build("span", "", question.choices[i]), track, build("span", "cr-number", count + share));
  });
  return list;
}

// A dot for each number, stacked where they are alike.
function drawDots({ question, decimals }, { dots, median, answered }) {
  const [width, height] = ROUND_SIZE;
  const { low, high } = question;
  const floor = height - 28;
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${answered} answers` })) svg.setAttribute(name, value);
  const at = (value) => 18 + ((value - low) / (high - low)) * (width - 36);
  drawn(svg, "line", { x1: at(low), x2: at(high), y1: floor, y2: floor });
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const value = low + share * (high - low);
    drawn(svg, "text", { x: at(value), y: height - 6, "text-anchor": "middle" }, String(Number(value.toPrecision(3))));
  }
  const highest = Math.max(0, ...dots.map(([, place]) => place));
  const rise = Math.min(11, (floor - 24) / (highest + 1));
  for (const [value, place] of dots) drawn(svg, "circle", { cx: at(value), cy: floor - 6 - place * rise, r: 5, class: "cr-mark" });
  if (median !== undefined) {
    drawn(svg, "line", { x1: at(median), x2: at(median), y1: 18, y2: floor, class: "cr-median" });
    const side = at(median) > width / 2 ? "end" : "start";
    drawn(svg, "text", { x: at(median), y: 14, "text-anchor": side }, `median ${median.toFixed(decimals)}`);
  }
  return svg;
}

// Every drawing, thin: where the class agrees, they make a dark one. Of bars: a dot at each height.
function crowdLayers({ question, at }, { curves, median }) {
  const layer = { colour: MINE, name: "", dashed: false };
  const middle = median ? [{ ...layer, colour: "currentColor", name: "median of the class" }] : [];
  if (question.kind === "curve") {
    const opacity = Math.max(0.12, Math.min(0.7, 4 / Math.max(1, curves.length)));
    return [...curves.map((y) => ({ ...layer, kind: "line", x: at, y, opacity })), ...middle.map((one) => ({ ...one, kind: "line", x: at, y: median }))];
  }
  const spread = (i) => (curves.length > 1 ? (i / (curves.length - 1) - 0.5) * 0.5 : 0);
  const dots = { ...layer, kind: "points", radius: 5, x: curves.flatMap((_, i) => at.map((x) => x + spread(i))), y: curves.flat() };
  const bars = middle.flatMap((one) => at.map((x, i) => ({ ...one, name: i ? "" : one.name, kind: "line", x: [x - 0.36, x + 0.36], y: [median[i], median[i]] })));
  return [dots, ...bars];
}

class Rounds {
  constructor(node) {
    this.node = node;
    this.charts = [];
  }

  // Shows what the server said, where that has changed.
  show({ ask, question, round, rounds = [] }) {
    const shown = JSON.stringify([question, rounds]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.close();
    const most = largestShare(rounds);
    this.node.replaceChildren(...rounds.map((one, i) => this.figure(ask, one, round - rounds.length + i + 1, most)));
  }

  figure(ask, one, number, most) {
    const figure = build("figure");
    figure.append(build("figcaption", "", `Round ${number}: ${one.answered} answered`));
    if (one.counts) figure.append(drawCounts(ask, one, most));
    else if (one.dots) figure.append(drawDots(ask, one));
    else if (one.curves) figure.append(this.chart(ask, one));
    else figure.append(build("p", "cr-hidden", String(one.answered)));
    return figure;
  }

  chart(ask, one) {
    const host = build("div", "le le-crowd");
    const chart = new LessonScene(host, () => {});
    chart.show({ ...ask.scene, layers: [...ask.scene.layers, ...crowdLayers(ask, one)] }, { revealed: true, kind: "", open: false });
    this.charts.push(chart);
    return host;
  }

  close() {
    for (const chart of this.charts) chart.resizing.disconnect();
    this.charts = [];
  }
}
