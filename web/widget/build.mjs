// Builds what adapters/http/widget.py serves: npm run build [-- folder]
//
// The page's script and style carry their hash in their names, so that browsers may keep them for ever;
// embed.html, which they never keep, names the ones that belong to it.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const target = process.argv[2] ?? join(here, "../../adapters/http/pages/widget");

const bundled = async (entry, format) => {
  const built = await build({
    entryPoints: [join(here, "src", entry)],
    bundle: true,
    minify: true,
    write: false,
    format,
    target: ["es2020", "safari15"],
    charset: "utf8",
    legalComments: "none",
  });
  return Buffer.from(built.outputFiles[0].contents);
};

const hashed = (name, extension, bytes) =>
  `${name}.${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}.${extension}`;

const loader = await bundled("loader.ts", "iife");
const script = await bundled("page/main.ts", "iife");
const style = await bundled("page/page.css");
const names = { script: hashed("embed", "js", script), style: hashed("embed", "css", style) };
const page = readFileSync(join(here, "src/page/embed.html"), "utf8")
  .replace("{{script}}", names.script)
  .replace("{{style}}", names.style);

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
writeFileSync(join(target, "widget.v1.0.0.js"), loader);
writeFileSync(join(target, names.script), script);
writeFileSync(join(target, names.style), style);
writeFileSync(join(target, "embed.html"), page);
