// The one part of undici that we use, without all the others that its index loads (http.ts).
declare module 'undici/lib/dispatcher/agent.js' {
  export { Agent as default } from 'undici'
}
