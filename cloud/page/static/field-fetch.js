// What the page asks the server by itself.

const csrf = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRF-Token"];

// As htmx would ask, so that a refusal comes as a part of the page. Answers status and document.
export async function ask(path, form = null) {
  const headers = { "HX-Request": "true", "X-CSRF-Token": csrf };
  const body = form && new URLSearchParams(form);
  const answer = await fetch(path, { method: form ? "POST" : "GET", headers, body });
  const elsewhere = answer.headers.get("HX-Redirect");
  if (elsewhere) location.assign(elsewhere);
  if (answer.headers.get("HX-Refresh")) location.reload();
  const text = await answer.text();
  return { status: answer.status, page: new DOMParser().parseFromString(text, "text/html") };
}

// Why a picture does not come, in a sentence.
export async function why(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (answer.ok) return "The picture came now: it is shown in a moment.";
    return (await answer.json()).sentence;
  } catch {
    return "The reading room does not answer: the picture comes back when it does.";
  }
}
