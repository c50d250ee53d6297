import { generateKeyPairSync } from "node:crypto";
import { rootCertificates } from "node:tls";
import { describe, expect, it } from "@jest/globals";
import {
  booleanOption,
  ConfigError,
  certificatesOption,
  choiceOption,
  type Environment,
  integerOption,
  listOption,
  type Options,
  optional,
  originOption,
  patternOption,
  privateKeyOption,
  readConfig,
  readConfigGroups,
  secretOption,
  textOption,
  urlOption,
  withContradictions,
} from "../../src/index.js";

const about = "What a test is about.";
const PORT = integerOption({ name: "PORT", about, unit: "port", min: 0, max: 65_535 });
const PASSWORD = secretOption({ name: "PASSWORD", about });

const noFile = (path: string): string => {
  throw new Error(`ENOENT: no such file ${path}`);
};

const read = <T extends Options>(options: T, environment: Environment, readFile = noFile) =>
  readConfig(options, environment, readFile);

/** What is wrong with an environment, by the error's own list. */
function faultsOf(readIt: () => unknown): readonly string[] {
  try {
    readIt();
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe("a configuration", () => {
  it("is read once into an object that nobody can change", () => {
    const config = read({ port: PORT }, { PORT: "8080" });
    expect(config).toEqual({ port: 8_080 });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it("takes what is not set from the default, and names what must be set", () => {
    const level = choiceOption({ name: "LEVEL", about, choices: ["low", "high"], fallback: "low" });
    const text = optional(textOption({ name: "TEXT", about, form: "text" }));
    expect(read({ level, text }, {})).toEqual({ level: "low", text: null });
    expect(faultsOf(() => read({ port: PORT }, {}))).toEqual(["PORT is not set: port, 0 to 65535"]);
  });

  it("names all faults together, each with the variable and what it must be", () => {
    const options = {
      port: PORT,
      flag: booleanOption({ name: "FLAG", about }),
      level: choiceOption({ name: "LEVEL", about, choices: ["low", "high"] }),
      name: patternOption({ name: "NAME", about, form: "lower-case letters", pattern: /^[a-z]+$/ }),
      hosts: listOption({ name: "HOSTS", about, form: "host:port", pattern: /^\w+:\d+$/ }),
      url: urlOption({ name: "URL", about }),
      missing: textOption({ name: "MISSING", about, form: "text" }),
      good: textOption({ name: "GOOD", about, form: "text" }),
    };
    const environment = {
      PORT: "80a",
      FLAG: "yes",
      LEVEL: "middle",
      NAME: "Upper",
      HOSTS: "a:1,b",
      URL: "ftp://example.com",
      GOOD: "good",
    };
    const faults = faultsOf(() => read(options, environment));
    expect(faults.map((fault) => fault.split(" ")[0])).toEqual([
      "PORT",
      "FLAG",
      "LEVEL",
      "NAME",
      "HOSTS",
      "URL",
      "MISSING",
    ]);
    expect(faults[0]).toBe("PORT must be a whole number from 0 to 65535 (port)");
    expect(faults[3]).toBe('NAME must be lower-case letters, not "Upper"');
  });

  it("names the faults of all groups together, and one that two groups share once", () => {
    const groups = { one: { port: PORT }, two: { port: PORT, password: PASSWORD } };
    expect(faultsOf(() => readConfigGroups(groups, {}, noFile))).toEqual([
      "PORT is not set: port, 0 to 65535",
      "PASSWORD is not set: secret text",
    ]);
    const config = readConfigGroups(groups, { PORT: "1", PASSWORD: "p" }, noFile);
    expect(config).toEqual({ one: { port: 1 }, two: { port: 1, password: "p" } });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it.each(["", " ", "\t"])("does not take the blank %j for a value", (blank) => {
    expect(faultsOf(() => read({ port: PORT }, { PORT: blank }))).toEqual([
      "PORT is empty: unset it or give a value (port, 0 to 65535)",
    ]);
  });

  it.each(["-1", "65536", "1.5", "1e3", "0x10", " 1", "1 ", "+1", "NaN", "Infinity"])(
    "does not take %j for a port",
    (text) => {
      expect(faultsOf(() => read({ port: PORT }, { PORT: text }))).toHaveLength(1);
    },
  );

  it("takes the least and the greatest number", () => {
    expect(read({ port: PORT }, { PORT: "0" }).port).toBe(0);
    expect(read({ port: PORT }, { PORT: "65535" }).port).toBe(65_535);
  });

  it.each(["http://host", "https://host:8443", "http://127.0.0.1:8123/", "http://[::1]:8123"])(
    "takes %j for a URL, with a path or without",
    (text) => {
      const options = {
        url: urlOption({ name: "URL", about }),
        origin: originOption({ name: "ORIGIN", about }),
      };
      const environment = { URL: `${text.replace(/\/$/, "")}/path`, ORIGIN: text };
      expect(read(options, environment)).toEqual({ url: environment.URL, origin: text });
    },
  );

  it.each([
    "host:8123",
    "ftp://host",
    "http://",
    "http://u@host",
    "http://:p@host",
    "http://h/?a=1",
    "http://h?",
    "http://h/#a",
  ])("does not take %j for a URL, and does not say it again", (text) => {
    const options = {
      url: urlOption({ name: "URL", about }),
      origin: originOption({ name: "ORIGIN", about }),
    };
    expect(faultsOf(() => read(options, { URL: text, ORIGIN: text }))).toEqual([
      "URL must be an http or https URL without user, password, query and fragment",
      "ORIGIN must be an http or https URL of nothing but a host and a port",
    ]);
  });

  it("does not take a URL with a path for one of nothing but a host and a port", () => {
    const options = { origin: originOption({ name: "ORIGIN", about }) };
    expect(faultsOf(() => read(options, { ORIGIN: "http://host/database" }))).toHaveLength(1);
  });

  it("reads lists without the blanks around their values", () => {
    const hosts = listOption({ name: "HOSTS", about, form: "host:port", pattern: /^\w+:\d+$/ });
    expect(read({ hosts }, { HOSTS: "a:1, b:2 ,c:3" }).hosts).toEqual(["a:1", "b:2", "c:3"]);
    expect(faultsOf(() => read({ hosts }, { HOSTS: "a:1,,b:2" }))).toEqual([
      "HOSTS must be host:port",
    ]);
  });
});

describe("options that contradict each other", () => {
  const text = (name: string) => optional(textOption({ name, about, form: "text" }));
  const options = withContradictions({ user: text("USER"), password: text("PASS") }, (values) =>
    typeof values.user === "string" && values.password === null ? ["USER needs PASS"] : [],
  );

  it("are a fault, told together with the faults of others", () => {
    expect(faultsOf(() => read(options, { USER: "u" }))).toEqual(["USER needs PASS"]);
    expect(faultsOf(() => read(options, { USER: "u", PASS: " " }))).toEqual([
      "PASS is empty: unset it or give a value (text)",
    ]);
    const more = withContradictions({ port: PORT, user: text("USER") }, ({ user }) =>
      user === null ? ["USER is needed"] : [],
    );
    expect(faultsOf(() => read(more, { PORT: "x" }))).toEqual([
      "PORT must be a whole number from 0 to 65535 (port)",
      "USER is needed",
    ]);
    expect(read(options, { USER: "u", PASS: "p" })).toEqual({ user: "u", password: "p" });
    expect(read(options, {})).toEqual({ user: null, password: null });
  });
});

describe("a PEM file", () => {
  const CA = certificatesOption({ name: "CA_FILE", about });
  const KEY = privateKeyOption({ name: "KEY_FILE", about });

  it("must be good to its end", () => {
    const [certificate] = rootCertificates;
    const broken = `${certificate}\n-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----`;
    const good = `${certificate}\n${certificate}\n`;
    expect(read({ ca: CA }, { CA_FILE: "/good" }, () => good)).toEqual({ ca: good });
    expect(faultsOf(() => read({ ca: CA }, { CA_FILE: "/broken" }, () => broken))).toEqual([
      "CA_FILE names a file without a good certificate in PEM form: /broken",
    ]);
  });

  it("is read when the configuration is, and must hold what it is for", () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const readFile = (path: string) => (path === "/key" ? key : noFile(path));
    expect(read({ key: KEY }, { KEY_FILE: "/key" }, readFile)).toEqual({ key });
    expect(faultsOf(() => read({ ca: CA }, { CA_FILE: "/key" }, readFile))).toEqual([
      "CA_FILE names a file without a good certificate in PEM form: /key",
    ]);
    expect(faultsOf(() => read({ ca: CA, key: KEY }, { CA_FILE: "/a", KEY_FILE: "/b" }))).toEqual([
      "CA_FILE names a file that cannot be read: /a",
      "KEY_FILE names a file that cannot be read: /b",
    ]);
  });
});

describe("a secret", () => {
  it("is read from its variable or from the file that NAME_FILE names, without the last line break", () => {
    expect(read({ password: PASSWORD }, { PASSWORD: " p\n" }).password).toBe(" p\n");
    const files: Readonly<Record<string, string>> = { "/a": "s3cret\n", "/b": "two\nlines\r\n" };
    const fromFile = (path: string) =>
      read({ password: PASSWORD }, { PASSWORD_FILE: path }, (name) => files[name] ?? noFile(name));
    expect(fromFile("/a").password).toBe("s3cret");
    expect(fromFile("/b").password).toBe("two\nlines");
  });

  it("may be empty, since a password can be", () => {
    expect(read({ password: PASSWORD }, { PASSWORD: "" }).password).toBe("");
  });

  it("is refused when it is given twice", () => {
    expect(
      faultsOf(() => read({ password: PASSWORD }, { PASSWORD: "hush", PASSWORD_FILE: "/a" })),
    ).toEqual(["PASSWORD and PASSWORD_FILE are both set: keep one of them"]);
  });

  it("is refused when its file cannot be read, without a word of what is in it", () => {
    expect(faultsOf(() => read({ password: PASSWORD }, { PASSWORD_FILE: "/nowhere" }))).toEqual([
      "PASSWORD cannot be read: PASSWORD_FILE names a file that cannot be opened",
    ]);
  });

  it("is not read from a file where the option is no secret", () => {
    expect(faultsOf(() => read({ port: PORT }, { PORT_FILE: "/a" }, () => "80"))).toEqual([
      "PORT is not set: port, 0 to 65535",
    ]);
  });

  it("does not print, whatever else is wrong", () => {
    const options = { port: PORT, password: PASSWORD };
    const hidden = "hush-hush";
    try {
      read(options, { PORT: "x", PASSWORD: hidden });
    } catch (error) {
      expect(JSON.stringify([String(error), (error as ConfigError).faults])).not.toContain(hidden);
      return;
    }
    throw new Error("It was taken");
  });
});
