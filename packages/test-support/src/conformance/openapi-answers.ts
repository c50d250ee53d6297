import { Ajv2020 } from "ajv/dist/2020.js";
import type { ConformanceAnswer } from "./conformance-case.js";

interface Header {
  readonly required?: boolean;
  readonly schema: { readonly type?: string };
}

interface Response {
  readonly headers?: Readonly<Record<string, Header>>;
  readonly content?: Readonly<Record<string, object>>;
}

/** The part of an OpenAPI 3.1 document that leads to the answers; operations by method by path. */
export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

interface Operation {
  readonly responses?: Readonly<Record<string, Response>>;
}

const ID = "openapi";
const pointer = (...keys: readonly string[]) =>
  keys.map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");

/** Judges real answers by an OpenAPI document. */
export class OpenApiAnswers {
  readonly #document: OpenApiDocument;
  // The document has keys that are no part of JSON Schema.
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });

  constructor(document: OpenApiDocument) {
    this.#document = document;
    this.#ajv.addSchema(document, ID);
  }

  /** What is wrong with the answer of an operation, e.g. `post` of a path as the document writes it; empty when nothing is. */
  faultsOf(method: string, path: string, answer: ConformanceAnswer): readonly string[] {
    const status = String(answer.status);
    const operation = this.#document.paths[path]?.[method.toLowerCase()] as Operation | undefined;
    const response = operation?.responses?.[status];
    if (response === undefined) return [`${method} ${path} has no answer ${status}`];
    const at = pointer("paths", path, method.toLowerCase(), "responses", status);
    return [...this.#headerFaults(at, response, answer), ...this.#bodyFaults(at, response, answer)];
  }

  /** Whether a value is of one of the document's schemas. */
  isOf(schema: string, value: unknown): boolean {
    return this.#validate(pointer("components", "schemas", schema), value).length === 0;
  }

  #headerFaults(at: string, { headers = {} }: Response, answer: ConformanceAnswer) {
    return Object.entries(headers).flatMap(([name, { required, schema }]) => {
      const text = answer.headers[name.toLowerCase()];
      if (text === undefined) return required === true ? [`${name} is missing`] : [];
      const value = schema.type === "integer" ? Number(text) : text;
      return this.#validate(`${at}${pointer("headers", name, "schema")}`, value);
    });
  }

  #bodyFaults(at: string, { content }: Response, answer: ConformanceAnswer): readonly string[] {
    if (content === undefined) return answer.body === null ? [] : ["there is a body"];
    const type = String(answer.headers["content-type"]).split(";")[0] ?? "";
    if (!(type in content)) return [`the content type ${type} is not of the document`];
    return this.#validate(`${at}${pointer("content", type, "schema")}`, answer.body);
  }

  #validate(at: string, value: unknown): readonly string[] {
    const validate = this.#ajv.compile({ $ref: `${ID}#${encodeURI(at)}` });
    return validate(value) === true
      ? []
      : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  }
}
