// When "not there" is an answer and not a fault.
import { DirectoryError } from '../registration/ports.ts'

/** The call's result, or null when Graph says that the object is missing. */
export async function orNull<T> (call: () => Promise<T>): Promise<T | null> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof DirectoryError && error.fault === 'missing') return null
    throw error
  }
}
