// Connect Four: drop stones into 7 columns of height 6; four in a row win, a full board is a draw.

export const COLUMNS = 7, ROWS = 6, CELLS = COLUMNS * ROWS;
const DIRECTIONS = [[1, 0], [0, 1], [1, 1], [1, -1]];

export class ConnectFour {
  #cells = new Int8Array(CELLS).fill(-1); // the seat whose stone lies there, or -1; the top row first
  plies = 0;
  winner = -1; // the seat, or -1

  get mover() {
    return this.plies % 2;
  }

  get over() {
    return this.winner >= 0 || this.plies === CELLS;
  }

  // What a seat sees, as the game's `observe` of Rival writes it: a plane of its own stones, then one of the other's.
  observe(seat, row) {
    for (let cell = 0; cell < CELLS; ++cell) {
      row[cell] = this.#cells[cell] === seat ? 1 : 0;
      row[CELLS + cell] = this.#cells[cell] === 1 - seat ? 1 : 0;
    }
  }

  // 1 for each column that has room.
  legal(mask) {
    for (let column = 0; column < COLUMNS; ++column) mask[column] = this.#cells[column] < 0 ? 1 : 0;
  }

  play(column) {
    let y = ROWS - 1;
    while (y >= 0 && this.#cells[COLUMNS * y + column] >= 0) --y;
    if (y < 0 || this.over) throw new Error(`column ${column} cannot be played`);
    const seat = this.mover;
    this.#cells[COLUMNS * y + column] = seat;
    ++this.plies;
    const reach = (dx, dy) => {
      let stones = 0;
      for (let x = column + dx, z = y + dy; this.#at(x, z) === seat; x += dx, z += dy) ++stones;
      return stones;
    };
    if (DIRECTIONS.some(([dx, dy]) => reach(dx, dy) + reach(-dx, -dy) >= 3)) this.winner = seat;
  }

  #at(x, y) {
    return x >= 0 && x < COLUMNS && y >= 0 && y < ROWS ? this.#cells[COLUMNS * y + x] : -1;
  }
}
