// Draws /openapi.json. Everything is set as text, never as markup.
const make = (name, text, className) => {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
};

const resolved = (schema, components, depth = 0) => {
  if (!schema || typeof schema !== "object" || depth > 6) return schema;
  if (schema.$ref) return resolved(components[schema.$ref.split("/").pop()], components, depth + 1);
  if (Array.isArray(schema)) return schema.map((entry) => resolved(entry, components, depth));
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, resolved(value, components, depth + 1)]),
  );
};

const json = (value) => make("pre", JSON.stringify(value, null, 2));

const bodyOf = (content, components) => {
  const shown = content && content["application/json"];
  if (!shown) return [];
  const nodes = [json(resolved(shown.schema, components))];
  for (const [name, example] of Object.entries(shown.examples || {})) {
    nodes.push(make("p", `Example: ${name}`), json(example.value));
  }
  return nodes;
};

const folded = (title, nodes) => {
  const details = make("details");
  details.append(make("summary", title), ...nodes);
  return details;
};

const drawn = (path, method, operation, components) => {
  const details = make("details");
  const summary = make("summary");
  summary.append(
    make("span", method.toUpperCase(), "method"),
    make("code", path),
    make("span", operation.summary, "summary"),
  );
  details.append(summary);
  details.addEventListener("toggle", () => fill(details, operation, components), { once: true });
  details.dataset.words = `${method} ${path} ${operation.summary}`.toLowerCase();
  return details;
};

const fill = (details, operation, components) => {
  if (operation.description) details.append(make("p", operation.description));
  const callers = operation.security.map((entry) => Object.keys(entry)[0] || "none").join(" or ");
  details.append(make("p", `Credentials: ${callers || "none"}`));
  if (operation["x-permission"]) details.append(make("p", `Permission: ${operation["x-permission"]}`));
  if (operation.parameters.length) details.append(folded("Parameters", [json(operation.parameters)]));
  if (operation.requestBody) {
    details.append(folded("Body", bodyOf(operation.requestBody.content, components)));
  }
  for (const [status, response] of Object.entries(operation.responses)) {
    details.append(folded(`${status}: ${response.description}`, bodyOf(response.content, components)));
  }
};

const draw = (description) => {
  const main = document.getElementById("operations");
  const components = description.components.schemas;
  const groups = new Map();
  for (const [path, operations] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags[0];
      if (!groups.has(tag)) groups.set(tag, [make("h2", tag)]);
      groups.get(tag).push(drawn(path, method, operation, components));
    }
  }
  main.replaceChildren(...[...groups.values()].flat());
  main.removeAttribute("aria-busy");
};

document.getElementById("filter").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase();
  for (const details of document.querySelectorAll("main > details")) {
    details.hidden = !details.dataset.words.includes(words);
  }
});

fetch("/openapi.json")
  .then((answer) => answer.json())
  .then(draw)
  .catch(() => document.getElementById("operations").replaceChildren("The document could not be loaded."));
