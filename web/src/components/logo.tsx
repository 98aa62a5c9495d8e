import classes from './logo.module.css';

/** The logo: two pillars and a part between them, forming an M. */
export function LogoMark({ size = 30 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className={classes.mark}>
      <rect width="32" height="32" rx="8" className={classes.ground} />
      <rect x="7" y="8" width="5" height="16" rx="1.5" className={classes.pillar} />
      <rect x="20" y="8" width="5" height="16" rx="1.5" className={classes.pillar} />
      <rect
        x="13.1"
        y="9.6"
        width="5.8"
        height="5.8"
        rx="1.3"
        transform="rotate(45 16 12.5)"
        className={classes.part}
      />
    </svg>
  );
}

/** The logo with the product's name. */
export function Logo() {
  return (
    <span className={classes.logo}>
      <LogoMark />
      <span className={classes.word}>MetaStore</span>
    </span>
  );
}
