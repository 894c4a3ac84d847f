// Pages that links in messages lead to: takes the token from the fragment, which no browser sends to
// any server, and hands it over with what the form asks for.
"use strict";

const form = document.getElementById("form");
const said = document.getElementById("said");
const token = new URLSearchParams(location.hash.slice(1)).get("token");

// The token is neither left in the history nor handed on to whatever is opened next.
history.replaceState(null, "", location.pathname);

const say = (text) => { said.textContent = text; };

const send = async (event) => {
  event.preventDefault();
  const body = { token };
  for (const [name, value] of new FormData(form)) {
    if (value.trim() !== "") body[name] = value;
  }
  const button = form.querySelector("button");
  button.disabled = true;
  say("One moment …");
  try {
    const answer = await fetch(form.dataset.action, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      credentials: "omit",
      body: JSON.stringify(body),
    });
    if (answer.ok) {
      form.hidden = true;
      say(form.dataset.done);
      return;
    }
    const problem = await answer.json();
    const errors = (problem.errors ?? []).map((error) => error.message);
    say([problem.title, ...errors].join(". "));
    const field = form.querySelector("input[type=password]");
    if (field) field.focus();
  } catch {
    say("The server can't be reached. Try again in a moment.");
  } finally {
    button.disabled = false;
  }
};

if (token === null || token === "") {
  say("This address is not complete: open the link of your message again.");
} else {
  form.hidden = false;
  form.addEventListener("submit", send);
  form.querySelector("input, button").focus();
}
