"use strict";
// A link into a folded episode unfolds it.
function reveal() {
  const target = document.getElementById(location.hash.slice(1));
  if (!target) return;
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  target.scrollIntoView({ block: "center" });
}
addEventListener("hashchange", reveal);
addEventListener("DOMContentLoaded", reveal);
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-toggle]");
  if (button) for (const one of document.querySelectorAll("details.episode")) one.open = button.dataset.toggle === "open";
});
