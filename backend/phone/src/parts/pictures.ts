/** Pictures of the viewfinder, and small previews; the bytes that are kept are never changed. */

const PREVIEW_SIDE = 240;
const QUALITIES = [0.85, 0.75, 0.65, 0.5] as const;
/** Sharpness is judged on a small grey copy: on a blurred page neighbours hardly differ. */
const JUDGED_SIDE = 800;
const SHARP_ENOUGH = 60;

export interface Picture {
  readonly bytes: Blob;
  readonly width: number;
  readonly height: number;
  readonly sharp: boolean;
}

/** The frame that the camera shows now, at most `side` pixels long and `most` bytes. */
export async function shoot(video: HTMLVideoElement, side: number, most: number): Promise<Picture> {
  const scale = Math.min(1, side / Math.max(video.videoWidth, video.videoHeight));
  const canvas = draw(video, video.videoWidth * scale, video.videoHeight * scale);
  let bytes = await encoded(canvas, QUALITIES[0]);
  for (const quality of QUALITIES.slice(1)) {
    if (bytes.size <= most) {
      break;
    }
    bytes = await encoded(canvas, quality);
  }
  const { width, height } = canvas;
  return { bytes, width, height, sharp: sharpness(canvas, width, height) >= SHARP_ENOUGH };
}

/** Whether a picture file looks sharp; one that this browser cannot read is not doubted. */
export async function isSharp(file: Blob): Promise<boolean> {
  try {
    const picture = await createImageBitmap(file);
    const sharp = sharpness(picture, picture.width, picture.height) >= SHARP_ENOUGH;
    picture.close();
    return sharp;
  } catch {
    return true;
  }
}

/** Variance of the Laplacian of the grey values, 0 for one plain colour. */
function sharpness(source: CanvasImageSource, wide: number, high: number): number {
  const scale = Math.min(1, JUDGED_SIDE / Math.max(wide, high));
  const canvas = draw(source, wide * scale, high * scale);
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d")!.getImageData(0, 0, width, height);
  const grey = (at: number): number =>
    (data[at * 4]! * 299 + data[at * 4 + 1]! * 587 + data[at * 4 + 2]! * 114) / 1000;
  let [sum, squares, n] = [0, 0, 0];
  for (let y = 1; y < height - 1; y += 1) {
    for (let x = 1; x < width - 1; x += 1) {
      const at = y * width + x;
      const edge = grey(at - 1) + grey(at + 1) + grey(at - width) + grey(at + width) - 4 * grey(at);
      sum += edge;
      squares += edge * edge;
      n += 1;
    }
  }
  return n === 0 ? 0 : squares / n - (sum / n) ** 2;
}

/** A small JPEG for the list, or nothing where the browser cannot read the file. */
export async function preview(bytes: Blob): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const picture = await createImageBitmap(bytes, { imageOrientation: "from-image" });
    const scale = Math.min(1, PREVIEW_SIDE / Math.max(picture.width, picture.height));
    const canvas = draw(picture, picture.width * scale, picture.height * scale);
    picture.close();
    return new Uint8Array(await (await encoded(canvas, 0.7)).arrayBuffer());
  } catch {
    return undefined;
  }
}

function draw(source: CanvasImageSource, width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width));
  canvas.height = Math.max(1, Math.round(height));
  canvas.getContext("2d")!.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function encoded(canvas: HTMLCanvasElement, quality: number): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (made) => (made === null ? reject(new Error("no picture")) : resolve(made)),
      "image/jpeg",
      quality,
    );
  });
}
