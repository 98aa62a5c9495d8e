import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, URL } from 'node:url';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** The server to which `npm run dev` forwards API, socket and object requests. */
const backend = process.env.METASTORE_DEV_SERVER ?? 'http://127.0.0.1:8080';
/** The libraries of the first page, cached separately from our own code, which changes with every release. */
const vendor =
  /node_modules\/(react|react-dom|scheduler|@mantine|@floating-ui|@tanstack|i18next|react-i18next|socket\.io-client|engine\.io-client|zustand|openapi-fetch|clsx)\//;

const proxied = ['/api', '/socket.io', '/objects', '/healthz', '/readyz'];

const pdfjs = dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json'));
const pdfjsVersion = JSON.parse(readFileSync(join(pdfjs, 'package.json'), 'utf8')).version as string;

/** Copies what pdf.js loads at run time into the build: character maps, standard fonts and picture decoders. */
function pdfjsFiles(): Plugin {
  return {
    name: 'pdfjs-files',
    apply: 'build',
    generateBundle() {
      for (const folder of ['cmaps', 'standard_fonts', 'iccs', 'wasm']) {
        for (const name of readdirSync(join(pdfjs, folder))) {
          // Scripts in documents are not run.
          if (name.startsWith('quickjs') || name.includes('QUICKJS')) continue;
          const fileName = `assets/pdfjs-${pdfjsVersion}/${folder}/${name}`;
          this.emitFile({ type: 'asset', fileName, source: readFileSync(join(pdfjs, folder, name)) });
        }
      }
    },
  };
}

function page(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Serves the page of share links in development, as the server does. */
function sharePages(): Plugin {
  return {
    name: 'share-pages',
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        if (request.url?.startsWith('/share/')) request.url = '/share.html';
        next();
      });
    },
  };
}

export default defineConfig(({ command }) => ({
  plugins: [react(), pdfjsFiles(), sharePages()],
  define: {
    'import.meta.env.VITE_PDFJS': JSON.stringify(
      command === 'build' ? `/assets/pdfjs-${pdfjsVersion}/` : '/node_modules/pdfjs-dist/',
    ),
  },
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    outDir: '../src/metastore/webapp',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      input: { main: page('index.html'), shared: page('share.html') },
      output: { codeSplitting: { groups: [{ name: 'vendor', test: vendor }] } },
    },
    target: 'es2022',
  },
  server: {
    host: '127.0.0.1',
    proxy: Object.fromEntries(proxied.map((path) => [path, { target: backend, ws: path === '/socket.io' }])),
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['tests/setup.ts'],
    include: ['tests/**/*.test.{ts,tsx}'],
    css: false,
    restoreMocks: true,
    testTimeout: 30_000,
  },
}));
