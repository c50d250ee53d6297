import { existsSync } from "node:fs";
import { describe } from "@jest/globals";

const USUAL_PATHS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/**
 * Declares a suite that needs Chromium: the one that `CHROMIUM_PATH` names, else one in a usual place. Where there is none the suite
 * is skipped and its name printed as not verified.
 */
export function describeWithChromium(name: string, body: (executablePath: string) => void): void {
  const given = process.env["CHROMIUM_PATH"];
  const path = (given ? [given] : USUAL_PATHS).find(existsSync);
  if (path !== undefined) {
    describe(name, () => body(path));
  } else {
    console.warn(`NOT VERIFIED: ${name} (there is no Chromium; CHROMIUM_PATH can name one)`);
    describe.skip(name, () => body(""));
  }
}
