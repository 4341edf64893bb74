// A draft is kept while it is written: the form is sent as it stands a moment after the last key.

const QUIET = 800;

async function keep(form) {
  const state = form.querySelector("[data-state]");
  const body = new FormData(form);
  body.delete("files"); // files go with the button: each one is announced once
  const sent = form.elements.text.value;
  const answer = await fetch(form.action, { method: "POST", body, redirect: "follow" }).catch(
    () => null,
  );
  if (answer === null || !answer.ok) {
    state.textContent = form.dataset.unsaved;
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const id = form.elements.reply.value;
  for (const other of page.querySelectorAll("form[data-draft]")) {
    if (other.elements.reply.value === id) {
      form.elements.base.value = other.elements.base.value;
    }
  }
  const drafts = page.getElementById("send");
  if (drafts && document.activeElement?.closest("#send") === null) {
    document.getElementById("send").replaceWith(drafts);
  }
  if (form.elements.text.value === sent) {
    const now = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    state.textContent = `${form.dataset.saved} ${now}`;
  }
}

for (const form of document.querySelectorAll("form[data-draft]")) {
  let waiting = 0;
  let last = Promise.resolve(); // one after the other: each starts from the version before it
  const later = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      last = last.then(() => keep(form));
    }, QUIET);
  };
  form.addEventListener("input", (event) => {
    if (event.target.type !== "file") {
      later();
    }
  });
  const { text } = form.elements;
  if (text.value !== text.defaultValue) {
    later(); // typed before this script was there
  }
}
