// Diplomas by the hundred: always the same ones, in five scripts, with the signs that break careless programs.

const given = ["Ana", "João", "Marta", "Søren", "Zoë", "Łucja", "Nuño", "Ελένη", "Дмитрий", "ليلى", "Ngọc", "Ivo", "D'Alva"];
const family = ["Conceição", "dos Santos Trovoada", "O'Brien", "Αγγελοπούλου", "Шостакович", "المنصوري", "Ñáñez", "Größe", "Œuvre", "Smith-Jones"];
const fields = [
  ["Licenciatura em Direito", "Direito"],
  ["Licenciatura em Economia", "Economia e Finanças"],
  ["Bachelor of Science in Physics", "Physics, Theory & Practice"],
  ["Mestrado em Educação", 'Educação "de base"'],
];

const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** A table of so many graduates, as the built-in diploma wants it. */
export function table(count) {
  const rows = ["name,email,degree,field,grade,date"];
  for (let number = 0; number < count; number += 1) {
    const name = `${given[number % given.length]} ${family[(number * 7) % family.length]} ${roman(number)}`;
    const [degree, field] = fields[number % fields.length];
    const day = String(1 + (number % 28)).padStart(2, "0");
    rows.push([name, `graduate${number}@example.org`, degree, field, `${10 + (number % 11)} valores`, `2026-07-${day}`].map(quoted).join(","));
  }
  return `${rows.join("\n")}\n`;
}

/** Numbers as letters, so that names stay names. */
function roman(number) {
  return [...String(number)].map((digit) => "ABCDEFGHIJ"[Number(digit)]).join("");
}

/** An unsigned Open Badges 3.0 credential as a stranger would write it. */
export function badge(number, did) {
  const id = (kind) => `urn:uuid:${kind}0000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
  const [degree, field] = fields[number % fields.length];
  return {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
    id: id("a"),
    type: ["VerifiableCredential", "OpenBadgeCredential"],
    name: degree,
    issuer: { id: did, type: ["Profile"], name: "Université d'à côté" },
    validFrom: "2026-07-20T09:00:00Z",
    ...(number % 3 === 0 ? { validUntil: "2046-07-20T09:00:00Z" } : {}),
    credentialSubject: {
      id: id("b"),
      type: ["AchievementSubject"],
      achievement: {
        id: id("c"),
        type: ["Achievement"],
        achievementType: "Diploma",
        name: degree,
        fieldOfStudy: field,
        description: `${given[number % given.length]}: "${number}" \\ \u00a0 tab\t`,
        criteria: { narrative: "Passed every examination.\nAnd the last one." },
      },
    },
  };
}
