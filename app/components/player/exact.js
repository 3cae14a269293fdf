// Exact max@k by k over θ, as the server computed it: what moves with the finger needs no answer.

class ExactTable {
  constructor(said) {
    this.colours = said.colours;
    this.stars = said.stars ?? {};
    this.grid = said.grid ? floats(said.grid) : null;
    this.all = said.curves ? floats(said.curves) : null;
  }

  // The curve of a k over the grid; nothing for a k that the table does not have.
  curve(k) {
    const size = this.grid?.length ?? 0;
    return size && k * size <= this.all.length ? this.all.subarray((k - 1) * size, k * size) : null;
  }

  // Between the points of the grid in a straight line.
  value(k, theta) {
    const curve = this.curve(k);
    if (!curve) return null;
    const last = this.grid.length - 1;
    const place = ((theta - this.grid[0]) / (this.grid[last] - this.grid[0])) * last;
    if (!(place >= 0 && place <= last)) return null;
    const i = Math.min(Math.floor(place), last - 1);
    return mix(curve[i], curve[i + 1], place - i);
  }
}
