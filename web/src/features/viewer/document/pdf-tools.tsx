import { useEffect, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ZoomButtons } from '../components/zoom-buttons';
import classes from './pdf-view.module.css';

interface Props {
  page: number;
  pages: number;
  zoom: number;
  least: number;
  most: number;
  onPage: (number: number) => void;
  onIn: () => void;
  onOut: () => void;
  onFit: () => void;
}

/** The current page and the zoom. */
export function PdfTools({ page, pages, zoom, least, most, onPage, onIn, onOut, onFit }: Props) {
  const { t } = useTranslation();
  const id = useId();
  const [typed, setTyped] = useState(String(page));
  useEffect(() => setTyped(String(page)), [page]);
  const go = () => {
    const number = Math.min(pages, Math.max(1, Number.parseInt(typed, 10) || page));
    setTyped(String(number));
    onPage(number);
  };
  return (
    <div className={classes.tools} role="toolbar" aria-label={t('viewer.picture.tools')}>
      <div className={classes.go}>
        <label htmlFor={id}>{t('viewer.pdf.page')}</label>
        <input
          id={id}
          className={classes.number}
          inputMode="numeric"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={({ key }) => key === 'Enter' && go()}
          onBlur={() => setTyped(String(page))}
          data-testid="pdf-page-number"
        />
        <span>{t('viewer.pdf.pageOf', { count: pages })}</span>
      </div>
      <ZoomButtons
        scale={zoom}
        least={least}
        most={most}
        fit={t('viewer.pdf.fit')}
        onIn={onIn}
        onOut={onOut}
        onFit={onFit}
      />
    </div>
  );
}
