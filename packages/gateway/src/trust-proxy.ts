import { isIP } from "node:net";
import { type Option, OptionFault } from "@push-reports/service-kit";

/** Express' setting `trust proxy`: how many proxies, or which, may say whom they forward for. Null trusts none. */
export type TrustedProxies = number | readonly string[] | null;

const FORM =
  "a number of proxies (1 to 9), or addresses and networks separated by commas (10.0.0.0/8, loopback, linklocal, uniquelocal)";
const NAMED_NETWORKS = ["loopback", "linklocal", "uniquelocal"];

/** Whose `X-Forwarded-For` is believed. */
export const trustProxyOption: Option<TrustedProxies> = {
  name: "TRUST_PROXY",
  about:
    "Proxies in front of the gateway whose X-Forwarded-For says who the client is. Without it a client is whoever connects, and the header means nothing.",
  form: FORM,
  fallback: null,
  secret: false,
  parse: (text) => {
    if (/^[1-9]$/.test(text)) return Number(text);
    const networks = text.split(",").map((network) => network.trim());
    if (!networks.every(isNetwork)) throw new OptionFault(`must be ${FORM}`);
    return Object.freeze(networks);
  },
};

function isNetwork(text: string): boolean {
  if (NAMED_NETWORKS.includes(text)) return true;
  const [address = "", bits, ...more] = text.split("/");
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  return (
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
  );
}
