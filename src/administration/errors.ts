// Why an operator's wish can't be done. Surfaces turn the code into an answer; the message is a sentence for the operator.

export type AdministrationErrorCode =
  /** There is no such thing. */
  | 'unknown'
  /** A value is not acceptable; `field` names the member. */
  | 'invalid'
  /** It contradicts what is there: a name that is taken, a thing in use, one that the environment defines. */
  | 'conflict'
  /** The operator may see it, but is not allowed to do this. */
  | 'forbidden'
  /** Something else is at work on it. Try again. */
  | 'busy'

export class AdministrationError extends Error {
  readonly code: AdministrationErrorCode
  /** Path of the member at fault, in wire names; null: no single one. */
  readonly field: string | null

  constructor (message: string, code: AdministrationErrorCode = 'invalid', field: string | null = null) {
    super(message)
    this.name = 'AdministrationError'
    this.code = code
    this.field = field
  }
}

/** Several values at once are not acceptable; each `field` is a path in wire names. */
export class InvalidValuesError extends AdministrationError {
  readonly faults: ReadonlyArray<{ field: string, reason: string }>

  constructor (faults: ReadonlyArray<{ field: string, reason: string }>) {
    super(faults.map(({ reason }) => reason).join(' '))
    this.name = 'InvalidValuesError'
    this.faults = faults
  }
}

/** The operator has not seen what is there now. */
export class StaleVersionError extends AdministrationError {
  constructor (message: string) {
    super(message, 'conflict')
    this.name = 'StaleVersionError'
  }
}
