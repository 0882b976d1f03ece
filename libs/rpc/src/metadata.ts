/** Metadata by lower-case name; names that end in `-bin` have Buffers, others text of printable ASCII. */
export type Metadata = Readonly<Record<string, string | Buffer>>;
