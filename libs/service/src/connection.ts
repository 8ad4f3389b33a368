/** mongoose's Connection as an injection token: mongoose does not export the class by name to ES modules. */
import mongoose from 'mongoose';

export const Connection = mongoose.Connection;
export type Connection = mongoose.Connection;
