/** Sound and film in pieces: each is a whole file, so that a death costs the last piece at most. */

export interface Segment {
  readonly bytes: Blob;
  readonly mime: string;
  readonly durationMs: number;
}

const SEGMENT_MS = 30_000;
const FORMS = {
  video: ["video/mp4;codecs=avc1.42E01E,mp4a.40.2", "video/mp4"],
  audio: ["audio/mp4;codecs=mp4a.40.2", "audio/mp4"],
} as const;
const RATE = { videoBitsPerSecond: 1_000_000, audioBitsPerSecond: 48_000 } as const;

/** A form that this browser writes and the server takes, or null: then a file is the way. */
export function formOf(kind: "video" | "audio"): string | null {
  const known = typeof MediaRecorder === "undefined" ? [] : FORMS[kind];
  return known.find((form) => MediaRecorder.isTypeSupported(form)) ?? null;
}

/** Record until stopped; every piece is handed over when it is whole. The promise ends after the last. */
export function recordSegments(
  stream: MediaStream,
  form: string,
  keep: (segment: Segment) => Promise<void>,
): () => Promise<void> {
  let over = false;
  let recorder: MediaRecorder;
  let kept = Promise.resolve();
  let timer = 0;

  function begin(): void {
    const started = performance.now();
    recorder = new MediaRecorder(stream, { mimeType: form, ...RATE });
    recorder.addEventListener("dataavailable", ({ data }) => {
      const durationMs = Math.round(performance.now() - started);
      const mime = form.split(";")[0] ?? form;
      if (data.size > 0) {
        kept = kept.then(() => keep({ bytes: data, mime, durationMs }));
      }
    });
    recorder.start();
    timer = window.setTimeout(() => {
      recorder.stop();
      if (!over) {
        begin();
      }
    }, SEGMENT_MS);
  }

  begin();
  return async () => {
    over = true;
    window.clearTimeout(timer);
    if (recorder.state !== "inactive") {
      await new Promise((resolve) => {
        recorder.addEventListener("stop", resolve, { once: true });
        recorder.stop();
      });
    }
    await kept;
  };
}
