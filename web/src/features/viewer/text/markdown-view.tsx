import { SegmentedControl } from '@mantine/core';
import { IconSquare, IconSquareCheck } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import Markdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import type { Excerpt, FileItem } from '@/api/types';
import { CodeLines } from './code-lines';
import classes from './markdown-view.module.css';
import { Paper } from './paper';
import choice from './text-view.module.css';

interface Props {
  file: FileItem;
  excerpt: Excerpt;
  onDownload: (() => void) | undefined;
}

/** Markdown, rendered or as source. HTML stays text, and no external resource is loaded. */
export function MarkdownView({ file, excerpt, onDownload }: Props) {
  const { t } = useTranslation();
  const [as, setAs] = useState('rendered');
  return (
    <Paper
      file={file}
      cut={excerpt.truncated}
      onDownload={onDownload}
      tools={
        <SegmentedControl
          size="xs"
          value={as}
          onChange={setAs}
          data={[
            { value: 'rendered', label: t('viewer.text.rendered') },
            { value: 'source', label: t('viewer.text.source') },
          ]}
          aria-label={t('viewer.text.as')}
          classNames={{ root: choice.choice, label: choice.choiceLabel, indicator: choice.indicator }}
          data-testid="markdown-as"
        />
      }
    >
      {as === 'source' ? (
        <CodeLines text={excerpt.text} language="markdown" wrap />
      ) : (
        <article className={classes.text} data-testid="viewer-markdown">
          <Markdown remarkPlugins={[remarkGfm]} components={components}>
            {excerpt.text}
          </Markdown>
        </article>
      )}
    </Paper>
  );
}

const components: Components = {
  a: ({ href, children }) => <ExternalLink href={href}>{children}</ExternalLink>,
  img: ({ alt, src }) => <PictureWords alt={alt} src={src} />,
  input: ({ checked }) => <Tick done={checked === true} />,
  pre: ({ children }) => <>{children}</>,
  code: ({ className, children }) => {
    const text = String(children);
    const language = /language-(\S+)/.exec(className ?? '')?.[1] ?? null;
    if (!language && !text.includes('\n')) return <code className={classes.inline}>{text}</code>;
    return (
      <div className={classes.block} tabIndex={0} role="group">
        <CodeLines text={text} language={language} wrap={false} numbers={false} />
      </div>
    );
  },
  table: ({ children }) => (
    <div className={classes.scroller} tabIndex={0} role="group">
      <table>{children}</table>
    </div>
  ),
};

/** An external link, opened in a new tab without referrer or opener; internal links are inert. */
function ExternalLink({ href, children }: { href?: string | undefined; children?: ReactNode }) {
  if (!href || !/^(https?:|mailto:)/i.test(href)) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

/** A read-only checkbox of a task list. */
function Tick({ done }: { done: boolean }) {
  const { t } = useTranslation();
  const Box = done ? IconSquareCheck : IconSquare;
  return (
    <Box
      size={18}
      className={classes.tick}
      role="img"
      aria-label={t(done ? 'viewer.text.done' : 'viewer.text.todo')}
    />
  );
}

/** A picture's alternative text: loading the picture would reveal the reader to another server. */
function PictureWords({ alt, src }: { alt?: string | undefined; src?: string | Blob | undefined }) {
  const { t } = useTranslation();
  const words = t('viewer.text.image', { alt: alt || String(src ?? '').slice(0, 80) });
  return <ExternalLink href={typeof src === 'string' ? src : undefined}>[{words}]</ExternalLink>;
}
