// Unpacks the npm package's Chromium below the TMPDIR it is given, and prints where it is.
import chromium from "@sparticuz/chromium";

console.log(await chromium.executablePath());
