/** Shoal's own version, as ServerMetadata shows it. */
export const version = '0.1.0';
