import { createHash, timingSafeEqual } from "node:crypto";
import type { RequestHandler } from "express";

/** Who may look. */
export interface Account {
  readonly user: string;
  readonly password: string;
}

/** Lets through who names the account by HTTP basic authentication (RFC 7617). */
export function requireAccount({ user, password }: Account): RequestHandler {
  const expected = digest(`${user}:${password}`);
  return (req, res, next) => {
    const [scheme = "", credentials = ""] = (req.headers.authorization ?? "").split(" ");
    const given = digest(Buffer.from(credentials, "base64").toString("utf8"));
    if (scheme.toLowerCase() === "basic" && timingSafeEqual(given, expected)) return next();
    res
      .status(401)
      .set("www-authenticate", 'Basic realm="insights", charset="UTF-8"')
      .type("text/plain")
      .send("Sign in with INSIGHTS_USER and INSIGHTS_PASSWORD.\n");
  };
}

/** Digests are of one length, so that comparing them tells nothing of what is expected. */
const digest = (text: string) => createHash("sha256").update(text).digest();
