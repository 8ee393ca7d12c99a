// An act that waits for the store: this tab remembers it until it is known how it ended.

// Of a reader on a slide; whose: the element that names both.
export function promises({ me, base }) {
  const key = `leukoscope-waits:${me}:${base}`;
  const read = () => JSON.parse(sessionStorage.getItem(key) ?? "null");
  const id = () => read()?.id ?? "";
  return {
    id, // empty: nothing waits
    amends: () => read()?.amends ?? false, // then the draft is away until it is known
    keep: (promise, amends) => sessionStorage.setItem(key, JSON.stringify({ id: promise, amends })),
    // Answers whether an amendment was written, whose draft has done its work then.
    ended({ promise, fate }) {
      if (!promise || promise !== id() || !["written", "refused"].includes(fate)) return false;
      const written = fate === "written" && read().amends;
      sessionStorage.removeItem(key);
      return written;
    },
  };
}
