// The broker proves itself by secret, certificate or federated token; files are read afresh, and what is wrong with them is said without their content.
import { SignJWT, exportJWK, generateKeyPair, type CryptoKey } from 'jose'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createEntraDirectories, type EntraDirectories } from '../../src/entra/entra-directories.ts'
import type { EntraCredential } from '../../src/entra/broker-credential.ts'
import { startSimulator, type Simulator } from '../../src/simulator/simulator.ts'
import { faultOf, patience } from './scripted-entra.ts'
import { selfSigned } from './self-signed.ts'

async function folder (t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'dcr-credential-'))
  t.teardown(async () => await rm(path, { recursive: true }))
  return path
}

async function simulated (t: Test): Promise<Simulator> {
  const simulator = await startSimulator()
  t.teardown(async () => await simulator.close())
  return simulator
}

function directoriesOf (t: Test, simulator: Simulator, credential: EntraCredential): EntraDirectories {
  const directories = createEntraDirectories([{
    providerId: 'default',
    tenantId: simulator.tenantId,
    clientId: simulator.broker.clientId,
    credential,
    authorityHost: simulator.url,
    graphBaseUrl: `${simulator.url}/v1.0`,
    attemptTimeoutMs: 3000
  }])
  t.teardown(async () => await directories.close())
  return directories
}

t.test('a certificate signs in, with its chain in any order, and an unregistered one is refused', async t => {
  const simulator = await simulated(t)
  const [path, own, other] = [join(await folder(t), 'broker.pem'), selfSigned(), selfSigned('issuer')]
  simulator.control.addCertificate(simulator.broker.clientId, own.certificate)
  await writeFile(path, other.certificate + own.key + own.certificate)
  await t.resolves(directoriesOf(t, simulator, { kind: 'certificate', path }).verify('default', patience()))

  const stranger = selfSigned()
  await writeFile(path, stranger.key + stranger.certificate)
  const error = await faultOf(directoriesOf(t, simulator, { kind: 'certificate', path }).verify('default', patience()))
  t.match(error, { fault: 'unauthenticated', diagnostics: { code: 'AADSTS700027' } })
})

t.test('a federated token is read again for every request, so that a renewed one is used', async t => {
  const simulator = await simulated(t)
  const tokenFile = join(await folder(t), 'token')
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const subject = 'system:serviceaccount:dcr:broker'
  simulator.control.trustFederation(simulator.broker.clientId, {
    issuer: 'https://cluster.example', subject, audience: 'api://AzureADTokenExchange', keys: [{ ...await exportJWK(publicKey), alg: 'RS256' }]
  })
  const directories = directoriesOf(t, simulator, { kind: 'federated', tokenFile })

  await writeFile(tokenFile, await assertion(privateKey, 'system:serviceaccount:dcr:somebody-else'))
  t.match(await faultOf(directories.verify('default', patience())), { fault: 'unauthenticated', message: /federated credential/ })
  t.match(directories.health(), [{ state: 'failing', fault: 'unauthenticated' }])

  await writeFile(tokenFile, `${await assertion(privateKey, subject)}\n`)
  await t.resolves(directories.verify('default', patience()))
  t.match(directories.health(), [{ state: 'accepted', reason: null }])
})

t.test('a credential file that can\'t be used is `unauthenticated`, names the file, and shows nothing of it', async t => {
  const simulator = await simulated(t)
  const path = join(await folder(t), 'broken.pem')
  const [own, other] = [selfSigned(), selfSigned()]
  const canary = own.key.split('\n')[5] ?? ''
  const contents: Array<[string, RegExp]> = [
    ['', /no private key/],
    [own.certificate, /no private key/],
    [own.key, /no certificate for its private key/],
    [own.key + other.certificate, /no certificate for its private key/],
    [own.key.replace(canary, 'x') + own.certificate, /must be PEM and not encrypted/],
    [`${own.key}-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n`, /certificate .* can't be read/]
  ]
  for (const [content, message] of contents) {
    await writeFile(path, content)
    const error = await faultOf(directoriesOf(t, simulator, { kind: 'certificate', path }).verify('default', patience()))
    t.match(error, { fault: 'unauthenticated', message })
    t.ok(error.message.includes(path))
    t.notOk([error.message, error.stack, JSON.stringify(error)].some(text => text?.includes(canary)))
  }
  const missing = directoriesOf(t, simulator, { kind: 'federated', tokenFile: `${path}.missing` })
  t.match(await faultOf(missing.verify('default', patience())), { fault: 'unauthenticated', message: /ENOENT/ })
  t.equal(simulator.control.journal.entries({ path: 'token' }).length, 0, 'Entra is not bothered with it')
})

async function assertion (key: CryptoKey, subject: string): Promise<string> {
  return await new SignJWT().setProtectedHeader({ alg: 'RS256' }).setIssuer('https://cluster.example').setSubject(subject)
    .setAudience('api://AzureADTokenExchange').setIssuedAt().setExpirationTime('5m').sign(key)
}
