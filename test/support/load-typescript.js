// tap gives this to every test process: what is compiled already needs no loader, which would cost it a second.
if (process.argv[1]?.endsWith('.ts')) await import('tsx')
