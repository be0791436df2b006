// The login form: sends the one-time code, then opens the page.

const form = document.getElementById("login");
const code = document.getElementById("code");
const status = document.getElementById("status");

if (location.hash.length > 1) {
  code.value = decodeURIComponent(location.hash.slice(1));
  // The code must not stay in the history.
  history.replaceState(null, "", location.pathname);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  status.textContent = "";
  const response = await fetch("login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code: code.value.trim() }),
  }).catch(() => null);
  if (response?.ok) {
    location.replace("./");
    return;
  }
  const problem = await response?.json().catch(() => null);
  status.textContent = problem?.detail ?? "The server does not answer.";
  code.select();
});
code.focus();
