// Keyboard work: within a list j and k go from row to row, within the answers of a visit from item
// to item (Tab and Enter do all of it without).

const LISTS = ".scroll, #answers";
const STEPS = "a.row, article.item";
const TYPED = "input, textarea, select";

function step(list, by) {
  const rows = [...list.querySelectorAll(STEPS)];
  if (rows.length === 0) {
    return;
  }
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = at < 0 ? 0 : at + by;
  rows[Math.min(Math.max(next, 0), rows.length - 1)].focus();
}

// Only while the list itself has the focus: letters elsewhere belong to the person's own tools.
document.addEventListener("keydown", (event) => {
  const list = event.target.closest(LISTS);
  const plain =
    !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.matches(TYPED);
  if (list && plain && (event.key === "j" || event.key === "k")) {
    step(list, event.key === "j" ? 1 : -1);
    event.preventDefault();
  }
});

// A form that was refused comes back with its reason at the top: eye and reader go there.
document.querySelector("form [role=alert]")?.focus();

// One open drawer at a time, and Escape closes it.
const drawers = [...document.querySelectorAll("details.who, details.menu")];
for (const drawer of drawers) {
  drawer.addEventListener("toggle", () => {
    for (const other of drawers) {
      if (drawer.open && other !== drawer) {
        other.open = false;
      }
    }
  });
}
document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" ? drawers.filter((one) => one.open) : [];
  for (const drawer of open) {
    drawer.open = false;
    drawer.querySelector("summary").focus();
  }
});
