// What well-known clients send to a registration endpoint, and how each of them redeems a code. Sources: their own code where it is
// public (VS Code, mcp-remote), reports of what was received elsewhere.
import type { Platform } from './sign-in.ts'

export interface KnownApp {
  name: string
  document: Record<string, unknown>
  /** Where its redirect URIs go in Entra, as they are registered there. */
  platform: Platform
  registered: string[]
  /** What it names when it signs a user in: installed clients listen on another port each time. */
  redirects: string[]
}

const code = { response_types: ['code'], grant_types: ['authorization_code', 'refresh_token'] }

const vsCodeUris = ['https://insiders.vscode.dev/redirect', 'https://vscode.dev/redirect', 'http://127.0.0.1/', 'http://127.0.0.1:33418/']

const vsCode: KnownApp = {
  name: 'VS Code',
  document: {
    client_name: 'Visual Studio Code',
    client_uri: 'https://code.visualstudio.com',
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    redirect_uris: vsCodeUris,
    token_endpoint_auth_method: 'none',
    application_type: 'native'
  },
  platform: 'publicClient',
  registered: vsCodeUris.slice(0, 3),
  redirects: [...vsCodeUris, 'http://127.0.0.1:50123/']
}

const claudeCode: KnownApp = {
  name: 'Claude Code',
  document: {
    client_name: 'Claude Code (orders)', redirect_uris: ['http://localhost:54212/callback'], token_endpoint_auth_method: 'none', ...code
  },
  platform: 'publicClient',
  registered: ['http://localhost:54212/callback'],
  redirects: ['http://localhost:54212/callback', 'http://localhost:61007/callback']
}

const mcpRemote: KnownApp = {
  name: 'mcp-remote',
  document: {
    redirect_uris: ['http://localhost:35081/oauth/callback'],
    token_endpoint_auth_method: 'none',
    ...code,
    client_name: 'MCP CLI Proxy',
    client_uri: 'https://github.com/modelcontextprotocol/mcp-cli',
    software_id: '2e6dc280-f3c3-4e01-99a7-8181dbd1d23d',
    software_version: '0.15.1',
    scope: 'openid offline_access',
    application_type: 'native'
  },
  platform: 'publicClient',
  registered: ['http://localhost:35081/oauth/callback'],
  redirects: ['http://localhost:35081/oauth/callback', 'http://localhost:3334/oauth/callback']
}

const claudeUri = 'https://claude.ai/api/mcp/auth_callback'
const claude = { client_name: 'Claude', client_uri: 'https://claude.ai', redirect_uris: [claudeUri], ...code }

const claudeAi: KnownApp = {
  name: 'claude.ai',
  document: { ...claude, token_endpoint_auth_method: 'none' },
  platform: 'publicClient',
  registered: [claudeUri],
  redirects: [claudeUri]
}

const claudeAiWithSecret: KnownApp = {
  ...claudeAi,
  name: 'claude.ai with a secret',
  document: { ...claude, token_endpoint_auth_method: 'client_secret_post' },
  platform: 'web'
}

const chatGptUri = 'https://chatgpt.com/connector/oauth/aB3dE5fG7hJ9'

const chatGpt: KnownApp = {
  name: 'ChatGPT',
  document: { client_name: 'ChatGPT', redirect_uris: [chatGptUri], token_endpoint_auth_method: 'none', ...code },
  platform: 'publicClient',
  registered: [chatGptUri],
  redirects: [chatGptUri]
}

export const knownApps: KnownApp[] = [vsCode, claudeCode, mcpRemote, claudeAi, claudeAiWithSecret, chatGpt]
