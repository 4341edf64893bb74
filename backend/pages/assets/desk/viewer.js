// Zoom of a picture: buttons, and + - 0 while the viewer has the focus; it scrolls by itself.

const STEPS = [1, 1.5, 2, 3, 4];
const viewer = document.querySelector(".viewer");
const buttons = document.querySelector(".zooms");

function zoom(by) {
  const at = STEPS.indexOf(Number(viewer.dataset.zoom));
  const wished = at + (by === "in" ? 1 : -1);
  const next = by === "fit" ? 0 : Math.min(Math.max(wished, 0), STEPS.length - 1);
  viewer.dataset.zoom = String(STEPS[next]);
}

if (viewer && buttons) {
  buttons.hidden = false;
  buttons.addEventListener("click", (event) => {
    const by = event.target.closest("button")?.dataset.by;
    if (by) {
      zoom(by);
    }
  });
  viewer.addEventListener("keydown", (event) => {
    const by = { "+": "in", "=": "in", "-": "out", "0": "fit" }[event.key];
    const go = { ArrowLeft: "before", ArrowRight: "after" }[event.key];
    const plain = viewer.dataset.zoom === "1" && !event.altKey && !event.ctrlKey && !event.metaKey;
    if (by) {
      zoom(by);
      event.preventDefault();
    } else if (go && plain) {
      document.getElementById(go)?.click();
    }
  });
  viewer.focus({ preventScroll: true });
}
