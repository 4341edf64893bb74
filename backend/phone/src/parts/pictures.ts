/** Pictures of the viewfinder, and small previews; the bytes that are kept are never changed. */

const PREVIEW_SIDE = 240;
const QUALITIES = [0.85, 0.75, 0.65, 0.5] as const;
const MOST_BYTES = 350_000;

export interface Picture {
  readonly bytes: Blob;
  readonly width: number;
  readonly height: number;
}

/** The frame that the camera shows now, at most `side` pixels long and 350 KB. */
export async function shoot(video: HTMLVideoElement, side: number): Promise<Picture> {
  const scale = Math.min(1, side / Math.max(video.videoWidth, video.videoHeight));
  const canvas = draw(video, video.videoWidth * scale, video.videoHeight * scale);
  let bytes = await encoded(canvas, QUALITIES[0]);
  for (const quality of QUALITIES.slice(1)) {
    if (bytes.size <= MOST_BYTES) {
      break;
    }
    bytes = await encoded(canvas, quality);
  }
  return { bytes, width: canvas.width, height: canvas.height };
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
