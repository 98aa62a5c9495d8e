import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiProblem, UnreachableError } from '@/api/problem';
import { sendBatch } from '@/features/uploads/engine/send-batch';
import { FakeServer } from '../../fakes/fetch';
import { fakeXhr } from '../../fakes/xhr';

const file = (name: string) => ({
  name,
  mimeType: 'text/plain',
  bytes: new TextEncoder().encode('bytes').buffer,
});
const request = { folder: '/docs', files: [file('a'), file('b')] };
const options = (progress: number[] = []) => ({
  signal: new AbortController().signal,
  onProgress: (bytes: number) => progress.push(bytes),
});
const stored = (name: string) => ({ name, file: { kind: 'file', id: `f-${name}`, name } });
const refused = (name: string, status: number, code: string) => ({
  name,
  problem: { status, code, detail: 'No.', errors: [] },
});

afterEach(() => vi.unstubAllGlobals());

describe('a batch', () => {
  it('is one request with its idempotency key, and gets a result for each file', async () => {
    const items = [stored('a'), refused('b', 413, 'quota-exceeded')];
    const sent = fakeXhr({ status: 200, body: { items } });
    const progress: number[] = [];
    const results = await sendBatch(request, 'k1', options(progress));
    expect(sent).toMatchObject([
      { method: 'POST', url: '/api/v1/files/upload-batch', headers: { 'Idempotency-Key': 'k1' } },
    ]);
    expect(sent[0]?.body.type).toMatch(/^multipart\/form-data; boundary=/);
    expect(progress).toEqual([sent[0]?.body.size]);
    expect(results[0]).toMatchObject({ file: { id: 'f-a' } });
    expect(results[1]).toMatchObject({ problem: { status: 413, code: 'quota-exceeded' } });
  });

  it('renews an expired session and is sent again under the same key', async () => {
    const server = new FakeServer().install();
    server.on('POST /api/v1/auth/refresh', { body: {} });
    const sent = fakeXhr({ status: 401 }, { status: 200, body: { items: [stored('a'), stored('b')] } });
    expect(await sendBatch(request, 'k1', options())).toHaveLength(2);
    expect(sent.map(({ headers }) => headers['Idempotency-Key'])).toEqual(['k1', 'k1']);
  });

  it('that is refused as a whole throws the problem, with its Retry-After', async () => {
    fakeXhr({ status: 429, body: { code: 'too-many-attempts' }, headers: { 'Retry-After': '7' } });
    const refusal = await sendBatch(request, 'k1', options()).catch((error) => error);
    expect(refusal).toBeInstanceOf(ApiProblem);
    expect(refusal).toMatchObject({ status: 429, code: 'too-many-attempts', retryAfter: 7 });
  });

  it('without a response throws that the server is unreachable', async () => {
    fakeXhr(null);
    await expect(sendBatch(request, 'k1', options())).rejects.toBeInstanceOf(UnreachableError);
  });
});
