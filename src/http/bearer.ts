// RFC 6750 §2.1: the credentials of an Authorization header; the token is the first group.
export const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i
