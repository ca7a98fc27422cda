/** The preload script asks for a port on this channel … */
export const connectChannel = 'parlance:connect';
/** … and passes it on to its page in a window message of this name. */
export const portTag = 'parlance:port';
