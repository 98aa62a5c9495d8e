import { useMemo } from 'react';
import classes from './code-lines.module.css';
import { linesOf } from './lines';

interface Props {
  text: string;
  language: string | null;
  wrap: boolean;
  numbers?: boolean;
}

/** Lines of text with line numbers that are not copied. */
export function CodeLines({ text, language, wrap, numbers = true }: Props) {
  const lines = useMemo(() => linesOf(text, language), [text, language]);
  const room = String(lines.length).length;
  return (
    <pre
      className={classes.code}
      data-wrap={wrap || undefined}
      data-numbers={numbers || undefined}
      style={{ '--room': `${room + 1}ch` } as React.CSSProperties}
    >
      <code>
        {lines.map((runs, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines are identified by their number
          <span key={index} className={classes.line} data-line={index + 1}>
            {runs.map(({ text: words, kind, at }) =>
              kind ? (
                <span key={at} className={kind}>
                  {words}
                </span>
              ) : (
                words
              ),
            )}
            {'\n'}
          </span>
        ))}
      </code>
    </pre>
  );
}
