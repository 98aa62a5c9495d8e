import { renderHook } from '@testing-library/react';
import { beforeAll, describe, expect, it } from 'vitest';
import { useReasonText } from '@/components/reason-text';
import { chooseLanguage } from '@/i18n';

describe('why a file did not become ready', () => {
  beforeAll(() => chooseLanguage('vi'));

  it('is said in the language of the reader, by its code', () => {
    const { result } = renderHook(() => useReasonText());
    expect(result.current('document-locked')).toBe('Tài liệu được khóa bằng mật khẩu.');
  });

  it.each([null, undefined, 'full-moon'])('is said in general terms for %s', (code) => {
    const { result } = renderHook(() => useReasonText());
    expect(result.current(code)).toBe('Không xử lý được tệp.');
  });
});
