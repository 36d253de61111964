// Where the package comes from, which only the workflow that releases it knows: the manifest's links, and those of the
// README, which npm's page shows without the repository around it.

/**
 * @typedef {object} Origin
 * @property {string} home the repository's page
 * @property {string} files where a file is read @property {string} raw where a picture is fetched
 */

/**
 * @param {Readonly<Record<string, string | undefined>>} env GITHUB_REPOSITORY is "owner/name"; GITHUB_SHA the commit, in
 *   whose place the version's tag stands @param {string} version
 * @returns {Origin | undefined} nothing where no one says
 */
export function originOf({ GITHUB_REPOSITORY: repository, GITHUB_SHA: commit }, version) {
  if (!repository) return undefined;
  if (!/^[\w-]+\/[\w.-]+$/.test(repository)) {
    throw new Error(`GITHUB_REPOSITORY: expected owner/name, but got ${JSON.stringify(repository)}`);
  }
  const at = commit || `v${version}`;
  return {
    home: `https://github.com/${repository}`,
    files: `https://github.com/${repository}/blob/${at}/`,
    raw: `https://raw.githubusercontent.com/${repository}/${at}/`,
  };
}

/**
 * What npm shows beside the package and holds its provenance against. A package that cannot say it is private, which npm
 * publishes by no command.
 * @param {Origin | undefined} origin
 */
export function manifestFields(origin) {
  if (!origin) return { private: true };
  const { home } = origin;
  return {
    repository: { type: "git", url: `git+${home}.git` },
    homepage: `${home}#readme`,
    bugs: { url: `${home}/issues` },
  };
}

/** Code, which is left alone, and what leads somewhere. */
const fence = /^(?<fence>`{3,}|~{3,})[\s\S]*?^\k<fence>/;
const code = /(?<ticks>`+)(?!`)[\s\S]*?[^`]\k<ticks>(?!`)/;
const link =
  /(?<bang>!?)\[(?<text>(?:[^[\]`]|`[^`]*`|!\[[^\]]*\]\([^)]*\))*)\]\((?<target>[^()\s]+)(?<title>(?:\s+"[^"]*")?)\)/;
const element = /(?<tag><(?<name>img|a)\b[^>]*?\b(?:src|href)=")(?<source>[^"]+)"/;
const codeOrLink = new RegExp([fence, code, link, element].map(({ source }) => source).join("|"), "gm");

/**
 * A document whose links lead on from anywhere: those to files of the repository become absolute.
 * @param {string} markdown @param {Origin} origin @param {(path: string) => boolean} exists whether there is such a file
 * @returns {string}
 * @throws Error for a link that leads nowhere
 */
export function absoluteLinks(markdown, origin, exists) {
  /** @param {string} target @param {boolean} picture */
  const resolve = (target, picture) => {
    if (/^(#|\/\/|[a-z][a-z\d+.-]*:)/i.test(target)) return target;
    const path = target.replace(/^\.\//, "");
    if (!exists(path.replace(/[#?].*$/, ""))) throw new Error(`a link leads nowhere: ${target}`);
    return `${picture ? origin.raw : origin.files}${path}`;
  };
  return markdown.replace(codeOrLink, (whole, ...rest) => {
    const { bang, text, target, title, tag, name, source } = /** @type {Record<string, string>} */ (rest.at(-1));
    if (target !== undefined) {
      return `${bang}[${absoluteLinks(text ?? "", origin, exists)}](${resolve(target, bang === "!")}${title})`;
    }
    return source === undefined ? whole : `${tag}${resolve(source, name === "img")}"`;
  });
}
