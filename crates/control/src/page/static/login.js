// The login form: sends the one-time code, then opens the page.

const form = document.getElementById("login");
const code = document.getElementById("code");
const status = document.getElementById("status");

let running = false;

function take() {
  if (location.hash.length < 2) return;
  code.value = location.hash.slice(1);
  // The code must not stay in the history.
  history.replaceState(null, "", location.pathname);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (running) return;
  running = true;
  status.textContent = "";
  const response = await fetch("login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code: code.value.trim() }),
  }).catch(() => null);
  running = false;
  if (response?.ok) {
    location.replace("./");
    return;
  }
  const problem = await response?.json().catch(() => null);
  status.textContent = problem?.detail ?? "The server does not answer.";
  code.select();
});
// A link with another code that is opened in this very window only changes the fragment.
addEventListener("hashchange", take);
take();
code.focus();
