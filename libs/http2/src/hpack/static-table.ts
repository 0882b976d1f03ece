import { HeaderField } from './header-field';

/** RFC 7541 Appendix A, as lines of `name` or `name value`, in order. */
const lines = `:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`.split('\n');

/** Entries by index; index 0 is not used (RFC 7541 §6.1). */
export const staticTable: readonly HeaderField[] = [
  new HeaderField('unused', ''),
  ...lines.map((line) => {
    const blank = line.indexOf(' ');
    return blank < 0 ? new HeaderField(line, '') : new HeaderField(line.slice(0, blank), line.slice(blank + 1));
  }),
];

/** The first index of each name. */
export const staticNames = new Map<string, number>();

/** The index of each whole field, by name and value with a colon between. */
export const staticFields = new Map<string, number>();

staticTable.forEach((field, index) => {
  if (index === 0) return;
  if (!staticNames.has(field.name)) staticNames.set(field.name, index);
  staticFields.set(`${field.name}:${field.value}`, index);
});
