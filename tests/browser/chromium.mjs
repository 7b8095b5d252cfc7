// Unpacks Chromium from its npm package into the TMPDIR that it is given, with the libraries that some machines lack.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import chromium, { inflate } from "@sparticuz/chromium";

const entry = createRequire(import.meta.url).resolve("@sparticuz/chromium");
const packed = join(dirname(entry), "..", "..", "bin", "al2023.tar.br");

await chromium.executablePath();
await inflate(packed);
