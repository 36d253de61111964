// The page: asks at every keystroke and shows the last question's answer, whichever order answers come in.
document.getElementById("text").focus();
const [input, table] = [document.getElementById("text"), document.getElementById("words")];
let asked = 0;

input.addEventListener("input", async () => {
  const question = ++asked;
  const words = await window.syllables.count(input.value);
  if (question !== asked) return;
  table.replaceChildren(
    ...words.map(({ word, syllables, chance }) => {
      const row = document.createElement("tr");
      for (const text of [word, "•".repeat(syllables), `${syllables}`, `${Math.round(chance * 100)}%`]) {
        row.insertCell().textContent = text;
      }
      return row;
    }),
  );
});
