/** Refusals of the draw: a stable code of draw.md section 12, nothing drawn. */

export class DrawError extends Error {
  constructor(code) {
    super(code);
    this.name = "DrawError";
    this.code = code;
  }
}

export function refuse(code) {
  throw new DrawError(code);
}
