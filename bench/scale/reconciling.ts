// One comparison of the whole tenant with the rows, by the reconciler as the background runs it.
import type { Subject } from './subject.ts'

/** Milliseconds per application, without the time that the stand-in for Entra takes. */
export async function timeComparison ({ core: { reconciler }, tenant }: Subject): Promise<number> {
  tenant.takeElapsedMs()
  const startedMs = performance.now()
  const { applications, missing, unknown, strays } = await reconciler.round(new AbortController().signal)
  const elapsedMs = performance.now() - startedMs - tenant.takeElapsedMs()
  if (applications === 0) throw new Error('The comparison has stopped before its end')
  if (missing + unknown + strays > 0) throw new Error(`A comparison without differences found ${missing} missing, ${unknown} unknown, ${strays} strays`)
  return elapsedMs / applications
}
