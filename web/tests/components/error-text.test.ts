import { renderHook } from '@testing-library/react';
import { beforeEach, describe, expect, it } from 'vitest';
import { ApiProblem, UnreachableError } from '@/api/problem';
import { useErrorText } from '@/components/error-text';
import { chooseLanguage } from '@/i18n';

function textOf(error: unknown): string {
  return renderHook(() => useErrorText()).result.current(error);
}

describe('the text of an error', () => {
  beforeEach(() => chooseLanguage('en'));

  it('is chosen by the problem code, not by the server’s sentence or the status', async () => {
    const problem = new ApiProblem(409, 'move-into-itself', 'Some sentence.');
    expect(textOf(problem)).toBe('A folder cannot be moved into itself or into one of its subfolders.');
    await chooseLanguage('vi');
    expect(textOf(problem)).toMatch(/^Không thể chuyển một thư mục/);
  });

  it('says how long to wait', () => {
    expect(textOf(new ApiProblem(429, 'too-many-attempts', '', [], 120))).toContain('2 min');
  });

  it('falls back to the status for a proxy’s response or a code of a newer server', () => {
    expect(textOf(new ApiProblem(503, 'http-503', ''))).toMatch(/^The server is temporarily unavailable/);
    expect(textOf(new ApiProblem(404, 'unknown-code', 'English.'))).toBe('It no longer exists.');
    expect(textOf(new ApiProblem(418, 'unknown-code', 'English.'))).toBe('That did not work.');
  });

  it('distinguishes a lost connection from a slow server', () => {
    expect(textOf(new UnreachableError())).not.toBe(textOf(new UnreachableError(true)));
    expect(textOf(new Error('boom'))).toBe('That did not work.');
  });
});
