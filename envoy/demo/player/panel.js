// The panel of attacks: one button each, and below the last one pressed the response and whether it was expected.

import { badge } from "./session.js";
import { shortly } from "./wire.js";

const $ = (id) => document.getElementById(id);
const buttons = () => [...document.querySelectorAll("#attacks button")];

function make(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

/** One answer of the edge's: what was asked for, and what it said. */
function answerOf({ kind, url, from, status, verdict, allowed, problem, note }) {
  const mark = make("span", "");
  badge(mark, status ? `${status} ${verdict}` : verdict, allowed ? "" : "bad");
  const parts = [
    make("p", "url", make("b", "", from ? `From ${from}: ` : "", kind === "license" ? "POST " : "GET "), shortly(url)),
    make("p", "said", mark, ` ${problem ? `“${note}”` : note}`),
  ];
  if (problem) parts.push(make("code", "problem", JSON.stringify(problem)));
  return parts;
}

/** A player's try at a segment: its picture, or that there is none. A page cannot copy pictures under Encrypted Media
 * Extensions, so those come as the `video` itself. */
function trialOf({ label, canvas, result }) {
  const screen = result.video ?? canvas;
  if (result.error) {
    const context = canvas.getContext("2d");
    Object.assign(context, { fillStyle: "#b9c0cd", font: "22px system-ui, sans-serif", textAlign: "center" });
    context.fillText("no picture", canvas.width / 2, canvas.height / 2 + 8);
  }
  const words = result.error ?? `plays: ${result.width}×${result.height}`;
  screen.setAttribute("role", "img");
  screen.setAttribute("aria-label", result.error ? "no picture" : "the first frame");
  return make("figure", result.error ? "failed" : "", screen, make("figcaption", "", make("b", "", label), ` ${words}`));
}

function show(answer, { asked, answers, facts = [], trials = [], right, why, wanted }) {
  answer.replaceChildren(
    make("p", "asked", asked),
    ...answers.flatMap(answerOf),
    ...(facts.length ? [make("ul", "facts", ...facts.map((fact) => make("li", "", fact)))] : []),
    ...(trials.length ? [make("div", "trials", ...trials.map(trialOf))] : []),
    make("p", right ? "why" : "why wrong", right ? why : `Unexpected response. Expected: ${wanted}.`),
  );
}

function fold(button) {
  button.setAttribute("aria-expanded", "false");
  button.nextElementSibling.hidden = true;
}

async function press(button, { title, attempt }, playing) {
  const mine = playing();
  mine.busy ??= new Set();
  if (mine.busy.has(button)) return;
  if (button.getAttribute("aria-expanded") === "true") {
    fold(button);
    return;
  }
  const mark = button.querySelector(".badge");
  mine.busy.add(button);
  badge(mark, "requesting …");
  const came = await attempt(mine).catch((error) => ({ asked: error.message, answers: [], right: false, wanted: "a response" }));
  mine.busy.delete(button);
  if (mine !== playing()) return;
  buttons().forEach(fold);
  show(button.nextElementSibling, came);
  button.nextElementSibling.hidden = false;
  button.setAttribute("aria-expanded", "true");
  const [first] = came.answers;
  const words = first ? `${first.status} ${first.problem?.type ?? first.note}` : "failed";
  badge(mark, `${came.right ? "✓" : "✗"} ${words}`, came.right ? "good" : "bad");
  $("said").textContent = `${title}: ${words}. ${came.right ? came.why : "Unexpected response."}`;
}

/** Puts the buttons there as another session begins: nothing has been tried on it, and nothing can be yet. `playing`: what
 * plays at the time. */
export function draw(attacks, playing) {
  $("said").textContent = "";
  $("attacks").replaceChildren(...attacks.map((attack) => {
    const button = make("button", "", make("span", "what", attack.title), make("span", "badge", "try it"));
    Object.assign(button, { type: "button", disabled: true });
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-controls", `answer-${attack.id}`);
    button.addEventListener("click", () => press(button, attack, playing));
    const item = make("li", "", button, Object.assign(make("div", "answer"), { id: `answer-${attack.id}`, hidden: true }));
    item.id = `attack-${attack.id}`;
    return item;
  }));
}

/** There is a session to attack. */
export function enable() {
  for (const button of buttons()) button.disabled = false;
}
